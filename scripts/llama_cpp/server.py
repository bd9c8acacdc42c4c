"""llama-server as fetch.sh unpacked it, for compare.py and speed.py."""
import contextlib
import json
import pathlib
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request

FETCH = pathlib.Path(__file__).with_name("fetch.sh")


def post(port, path, body):
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=300) as answer:
        return json.load(answer)


def complete(port, tokens, n, **more):
    """Greedy completion of raw token ids, with nothing reused from the request before."""
    body = dict(prompt=tokens, n_predict=n, temperature=0, cache_prompt=False, return_tokens=True)
    return post(port, "/completion", {**body, **more})


@contextlib.contextmanager
def serving(llama, gguf, *arguments):
    """Runs llama-server with one thread and one slot; yields its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [FETCH, "serve", llama, gguf, str(port), "-t", "1", "-tb", "1", "-np", "1", "--no-webui", *arguments]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5)
                break
            except (urllib.error.URLError, ConnectionError):
                if server.poll() is not None:
                    raise SystemExit(f"llama-server ended with {server.returncode}") from None
                time.sleep(0.1)
        else:
            raise SystemExit("llama-server was not healthy within a minute")
        yield port
    finally:
        server.terminate()
        server.wait()


def version(llama):
    root = pathlib.Path(llama).resolve() / "root/usr"
    lib = root / "lib/x86_64-linux-gnu"
    command = [lib / "ld-linux-x86-64.so.2", "--library-path", f"{lib}:{lib}/llama", root / "bin/llama-server", "--version"]
    out = subprocess.run(command, capture_output=True, text=True)
    return re.search(r"version: (.*)", out.stdout + out.stderr).group(1)
