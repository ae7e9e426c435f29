"""Apache httpd: after its first graceful restart it serves nobody until its parent looks round, once a second."""
import http.client, os, pathlib, shutil, socket, statistics, subprocess, sys, tempfile, threading, time
folder, quiet = pathlib.Path((home := tempfile.TemporaryDirectory()).name), {"stdout": -3, "stderr": -3}
front = [(s.getsockname()[1], s.close())[0] for s in [socket.create_server(("127.0.0.1", 0))]][0]
places = ("/usr/lib/apache2/modules", "/usr/lib64/httpd/modules", "/usr/local/apache2/modules", "/usr/libexec/apache2")
modules, waits = next(filter(os.path.isdir, places), ""), []
loads = (f"<IfModule !{m}_module>\nLoadModule {m}_module {modules}/mod_{m}.so\n</IfModule>" for m in ("mpm_event", "authz_core", "unixd"))
(folder / "h.conf").write_text(f"""ServerRoot {folder}\nServerName x\nListen 127.0.0.1:{front}\nPidFile {folder}/pid
DefaultRuntimeDir {folder}\nErrorLog {folder}/errors\nMutex sem\nDocumentRoot {folder}\n""" + "\n".join(loads) + "\nUser nobody\n")
(folder / "index.html").write_text("here"), folder.chmod(0o755)
def ask(web, began):
    try: return web.request("GET", "/"), web.getresponse().read(), waits.append(time.monotonic() - began), time.sleep(0.05)
    except (OSError, http.client.HTTPException): return web.close(), time.sleep(0.01), ask(web, began)
shoppers = [http.client.HTTPConnection("127.0.0.1", front, timeout=20) for _ in range(8)]
[threading.Thread(target=lambda w: [ask(w, time.monotonic()) for _ in iter(int, 1)], args=(w,), daemon=True).start() for w in shoppers]
def slowest(started):
    before = time.sleep(1), waits.clear(), time.sleep(1), max(waits)
    return before[-1], (waits.clear(), started.send_signal(10), time.sleep(2.5), max(waits))[-1], started.terminate(), started.wait()
found = [slowest(subprocess.Popen([shutil.which("apache2") or "httpd", "-f", folder / "h.conf", "-DFOREGROUND"], **quiet))[:2] for _ in "123"]
print("seconds for the slowest page, before and after a graceful restart, of three servers:", found)
sys.exit(not max(0.6, 2 * statistics.median(a for a, _ in found)) < statistics.median(b for _, b in found))
