"""nginx: each reload forgets which servers failed, although they are in a `zone`: somebody has to fail once more."""
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
while get()[2] != 200 or len(cookies := {get()[1], get()[1]}) < 2: pass
started[0].kill(), (errors := [(time.sleep(2), sum(get(c)[2] == 502 for c in cookies for _ in range(3)), i and started[2].send_signal(1))[1] for i in range(5)])
print("errors at first, when it is known, and after each of three reloads:", errors), [(one.terminate(), one.wait()) for one in started]
sys.exit(errors != [1, 0, 1, 1, 1])
