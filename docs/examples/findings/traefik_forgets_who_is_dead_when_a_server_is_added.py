"""Traefik: when a server is added, one that was known to be dead is called alive until the next health check."""
import http.client, pathlib, socket, subprocess, sys, tempfile, time
folder, quiet = pathlib.Path((home := tempfile.TemporaryDirectory()).name), {"stdout": -3, "stderr": -3}
front, *ports = [(s.getsockname()[1], s.close())[0] for s in [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]]
def get(cookie=""):
    try: (web := http.client.HTTPConnection("127.0.0.1", front)).request("GET", "/", headers={"Cookie": cookie}), (answer := web.getresponse())
    except OSError: return time.sleep(0.1), "", 0
    return answer.read(), answer.getheader("Set-Cookie", "").split(";")[0], answer.status
def node(port):
    started = subprocess.Popen([sys.executable, "-m", "http.server", str(port), "-b", "127.0.0.1"], cwd=folder, **quiet)
    while socket.socket().connect_ex(("127.0.0.1", port)): time.sleep(0.1)
    return started
def tell(ports):
    servers = ",".join(f'{{url: "http://127.0.0.1:{port}"}}' for port in ports)
    (folder / "d.new").write_text("http: {routers: {r: {rule: 'PathPrefix(`/`)', service: s}}, services: {s: {loadBalancer: {sticky: {cookie: "
        f"{{name: k}}}}, healthCheck: {{path: /, interval: 4s}}, servers: [{servers}]}}}}}}}}"), (folder / "d.new").rename(folder / "d.yml")
tell(ports[:2]), (started := [*map(node, ports), subprocess.Popen(["traefik", f"--entrypoints.w.address=127.0.0.1:{front}", f"--providers.file.filename={folder}/d.yml"], **quiet)])
while get()[2] != 200 or len(cookies := {get()[1], get()[1]}) < 2: pass
started[0].kill(), started[0].wait(), time.sleep(6), print("known:", known := {get(cookie)[2] for cookie in cookies}), tell(ports)
print("then:", then := {get(cookie)[2] for _ in range(30) for cookie in cookies if time.sleep(0.1) is None})
[(one.kill(), one.wait()) for one in started], sys.exit(not (known == {200} and 502 in then))
