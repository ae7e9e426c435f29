"""Caddy: three lb_retries all select the dead upstream that the cookie names; a stranger finds another one."""
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
(folder / "Caddyfile").write_text(f"""{{\n admin off\n auto_https off\n storage file_system {folder}\n}}\nhttp://127.0.0.1:{front} {{
 reverse_proxy 127.0.0.1:{ports[0]} 127.0.0.1:{ports[1]} {{\n  lb_policy cookie k\n  lb_retries 3\n }}\n}}\n""")
command = ["caddy", "run", "--adapter", "caddyfile", "--config", f"{folder}/Caddyfile"]
started = [*map(node, ports), subprocess.Popen(command, **quiet)]
while get()[2] != 200 or len(cookies := {get()[1] for _ in range(9)}) < 2: pass
started[0].kill(), started[0].wait()
print("with cookies:", kept := {cookie: {get(cookie)[2] for _ in range(6)} for cookie in cookies}, "without:", new := {get()[2] for _ in range(12)})
[(one.kill(), one.wait()) for one in started], sys.exit(not ({502} in kept.values() and 200 in new))
