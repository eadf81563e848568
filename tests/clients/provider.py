"""An HTTP server that answers as a file says: provider.py FOLDER PORT [CERTIFICATE KEY].

FOLDER/answer is JSON: {"status": 200, "headers": {}, "body": "…", "stall": false}. What was asked is a line of JSON each in FOLDER/asked.
It says `ready` when it listens.
"""

import http.server, json, os, ssl, sys, threading

folder, port, *tls = sys.argv[1:]
lock = threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length).decode(errors="replace")
        headers = [[name.lower(), value] for name, value in self.headers.items()]
        asked = {"method": self.command, "path": self.path, "headers": headers, "body": body}
        with lock, open(os.path.join(folder, "asked"), "a") as file:
            file.write(json.dumps(asked) + "\n")
        with open(os.path.join(folder, "answer")) as file:
            answer = json.load(file)
        if answer.get("stall"):
            # Until whoever asks hangs up.
            self.rfile.read(1)
            self.close_connection = True
            return
        body = answer.get("body", "").encode()
        self.send_response(answer.get("status", 200))
        for name, value in answer.get("headers", {}).items():
            for one in value if isinstance(value, list) else [value]:
                self.send_header(name, one)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = answer

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


server = Server(("127.0.0.1", int(port)), Handler)
if tls:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*tls)
    server.socket = context.wrap_socket(server.socket, server_side=True)
print("ready", flush=True)
server.serve_forever()
