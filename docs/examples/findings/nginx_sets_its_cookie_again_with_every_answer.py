"""nginx: the sticky cookie is set with every answer, also to somebody who sent that very cookie."""
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
(folder / "n.conf").write_text(f"""daemon off; worker_processes 1; pid n.pid; events {{}} http {{ access_log off;
 {" ".join(f"{t}_temp_path {t};" for t in "client_body proxy fastcgi uwsgi scgi".split())} upstream u {{ zone z 128k; sticky cookie k;
 server 127.0.0.1:{ports[0]} fail_timeout=1h; server 127.0.0.1:{ports[1]} fail_timeout=1h; }}
 server {{ listen 127.0.0.1:{front}; location / {{ proxy_pass http://u; proxy_next_upstream off; }} }} }}""")
started = [*map(node, ports), subprocess.Popen(["nginx", "-p", str(folder), "-c", "n.conf", "-e", "stderr"], **quiet)]
while get()[2] != 200: pass
print("sent:", cookie := get()[1], "set again:", again := {get(cookie)[1] for _ in range(5)})
[(one.terminate(), one.wait()) for one in started], sys.exit(again != {cookie})
