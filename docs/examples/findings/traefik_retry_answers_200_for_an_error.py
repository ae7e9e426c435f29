"""Traefik: an error that it is to try again, and whose body comes slowly, reaches the client with the status 200; its own log says 500."""
import http.client, http.server, json, pathlib, socket, subprocess, sys, tempfile, threading, time
folder = pathlib.Path((home := tempfile.TemporaryDirectory()).name)
front = [(s.getsockname()[1], s.close())[0] for s in [socket.create_server(("127.0.0.1", 0))]][0]
class Fails(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(500), self.send_header("Content-Length", "4"), self.end_headers()
        [(time.sleep(float(self.path[1:])), self.wfile.write(half), self.wfile.flush()) for half in (b"no", b"pe")]
    def log_message(self, *words): pass
threading.Thread(target=(node := http.server.ThreadingHTTPServer(("127.0.0.1", 0), Fails)).serve_forever, daemon=True).start()
def get(path):
    try: (web := http.client.HTTPConnection("127.0.0.1", front)).request("GET", path), (answer := web.getresponse())
    except OSError: return time.sleep(0.1), 0, b""
    return None, answer.status, answer.read()
(folder / "d.yml").write_text("http: {routers: {r: {rule: 'PathPrefix(`/`)', service: s, middlewares: [m]}}, middlewares: {m: {retry: {attempts: 2, "
    f"status: ['500-599']}}}}}}, services: {{s: {{loadBalancer: {{servers: [{{url: 'http://127.0.0.1:{node.server_port}'}}]}}}}}}}}")
log = ["--accesslog=true", f"--accesslog.filepath={folder}/log", "--accesslog.format=json"]
traefik = subprocess.Popen(["traefik", f"--entrypoints.w.address=127.0.0.1:{front}", f"--providers.file.filename={folder}/d.yml", *log], stdout=-3, stderr=-3)
while get("/0")[1] != 500: pass
print("at once:", get("/0")[1:], "slowly:", slow := get("/0.6")[1:]), traefik.terminate(), traefik.wait()
print("its log:", logged := json.loads((folder / "log").read_text().splitlines()[-1])["DownstreamStatus"]), sys.exit(not (logged == 500 and slow[0] == 200))
