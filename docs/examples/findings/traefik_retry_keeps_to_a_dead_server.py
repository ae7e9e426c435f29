"""Traefik: each of four retries goes to the dead server that the sticky cookie names; without the cookie, none does."""
import http.client, pathlib, socket, subprocess, sys, tempfile, time
folder, quiet = pathlib.Path((home := tempfile.TemporaryDirectory()).name), {"stdout": -3, "stderr": -3}
front, *ports = [(s.getsockname()[1], s.close())[0] for s in [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]]
def get(cookie=""):
    try: (web := http.client.HTTPConnection("127.0.0.1", front)).request("GET", "/", headers={"Cookie": cookie}), (answer := web.getresponse())
    except OSError: return time.sleep(0.1), "", 0
    return answer.read(), answer.getheader("Set-Cookie", "").split(";")[0], answer.status
def node(port):
    started = subprocess.Popen([sys.executable, "-m", "http.server", str(port), "-b", "127.0.0.1"], cwd=folder, **quiet)
    while socket.socket().connect_ex(("127.0.0.1", port)): time.sleep(0.1)
    return started
servers = ",".join(f'{{url: "http://127.0.0.1:{port}"}}' for port in ports)
(folder / "d.yml").write_text("http: {routers: {r: {rule: 'PathPrefix(`/`)', service: s, middlewares: [m]}}, middlewares: {m: {retry: "
    f"{{attempts: 5}}}}}}, services: {{s: {{loadBalancer: {{sticky: {{cookie: {{name: k}}}}, servers: [{servers}]}}}}}}}}")
flags = [f"--entrypoints.w.address=127.0.0.1:{front}", f"--providers.file.filename={folder}/d.yml"]
started = [*map(node, ports), subprocess.Popen(["traefik", *flags], **quiet)]
while get()[2] != 200 or len(cookies := {get()[1], get()[1]}) < 2: pass
started[0].kill(), started[0].wait()
print("with cookies:", kept := {cookie: {get(cookie)[2] for _ in range(6)} for cookie in cookies}, "without:", new := {get()[2] for _ in range(6)})
[(one.kill(), one.wait()) for one in started], sys.exit(not ({502} in kept.values() and new == {200}))
