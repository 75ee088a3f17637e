# An RTSP server that describes what goes to a group: OPTIONS and DESCRIBE, with a place that moved, one that asks who
# comes (RFC 7616), and none.
import hashlib, socketserver

PORT, NONCE = 8554, "dcd98b7102dd2f0e8b11d0f600bfb0c0"
DESCRIPTION = ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=Camera 1\r\nt=0 0\r\nm=audio 5004 RTP/AVP 97\r\n"
               "c=IN IP4 239.9.9.9/32\r\na=rtpmap:97 L24/48000/2\r\na=ptime:1\r\na=control:sound\r\n")


def md5(*parts):
    return hashlib.md5(":".join(parts).encode()).hexdigest()


def is_known(header, method):
    said = dict(part.strip().split("=", 1) for part in header.removeprefix("Digest ").split(",") if "=" in part)
    said = {name: value.strip('"') for name, value in said.items()}
    if said.get("username") != "operator":
        return False
    asked = md5(md5("operator", "cameras", "secret"), NONCE, md5(method, said["uri"]))
    return said["response"] == asked


class Answers(socketserver.StreamRequestHandler):
    def handle(self):
        while request := self.rfile.readline().decode():
            headers = {}
            while line := self.rfile.readline().decode().strip():
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
            method, url, _ = request.split()
            self.reply(method, "/" + url.split("/", 3)[-1], headers)

    def reply(self, method, path, headers):
        status, more, body = "200 OK", "", ""
        if method == "OPTIONS":
            more = "Public: OPTIONS, DESCRIBE\r\n"
        elif path == "/moved":
            status, more = "302 Moved", f"Location: rtsp://127.0.0.1:{PORT}/camera\r\n"
        elif path == "/locked" and not is_known(headers.get("authorization", ""), method):
            status, more = "401 Unauthorized", f'WWW-Authenticate: Digest realm="cameras", nonce="{NONCE}"\r\n'
        elif path in ("/camera", "/locked"):
            more, body = "Content-Type: application/sdp\r\n", DESCRIPTION
        else:
            status = "404 Not Found"
        answer = f"RTSP/1.0 {status}\r\nCSeq: {headers.get('cseq', '0')}\r\n{more}Content-Length: {len(body)}\r\n\r\n{body}"
        self.wfile.write(answer.encode())


socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer.daemon_threads = True
server = socketserver.ThreadingTCPServer(("127.0.0.1", PORT), Answers)
threading.Thread(target=server.serve_forever, daemon=True).start()
ready()
