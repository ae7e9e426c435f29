"""Traefik: at each start it listens before it has read its routes; people are answered 404, and its log lacks some."""
import http.client, pathlib, socket, subprocess, sys, tempfile, time
folder, quiet = pathlib.Path((home := tempfile.TemporaryDirectory()).name), {"stdout": -3, "stderr": -3}
front, port = [(s.getsockname()[1], s.close())[0] for s in [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]]
def get():
    try: (web := http.client.HTTPConnection("127.0.0.1", front)).request("GET", "/")
    except OSError: return 0
    try: return web.getresponse().status
    except (OSError, http.client.HTTPException): return 0
node = subprocess.Popen([sys.executable, "-m", "http.server", str(port), "-b", "127.0.0.1"], cwd=folder, **quiet)
while socket.socket().connect_ex(("127.0.0.1", port)): time.sleep(0.1)
(folder / "d.yml").write_text("http: {routers: {r: {rule: 'PathPrefix(`/`)', service: s}}, services: {s: {loadBalancer: "
    f"{{servers: [{{url: 'http://127.0.0.1:{port}'}}]}}}}}}}}")
flags = [f"--entrypoints.w.address=127.0.0.1:{front}", f"--providers.file.filename={folder}/d.yml", f"--accesslog.filepath={folder}/log"]
seen, logged = [], 0
for _ in range(5):
    traefik = subprocess.Popen(["traefik", *flags], **quiet)
    while (status := get()) != 200: seen += [status] * (status != 0)
    traefik.terminate(), traefik.wait()
print("before the first 200:", set(seen), len(seen), "times; in the log:", logged := (folder / "log").read_text().count('" 404 '))
node.kill(), node.wait(), sys.exit(not (set(seen) == {404} and logged < len(seen)))
