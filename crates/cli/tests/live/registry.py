# An NMOS registry and a node with one sender: IS-04 v1.3 with WebSocket subscriptions, IS-05 v1.1.
import base64, hashlib, http.server, struct, threading

PORT, SENDER, DEVICE = 8235, "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
HERE = f"http://127.0.0.1:{PORT}"
state = {"group": "239.1.1.2", "version": 1, "there": True}
subscribers, lock = [], threading.Lock()


def sender():
    return {"id": SENDER, "version": f"{state['version']}:0", "label": "Camera 1 sound", "description": "", "tags": {},
            "flow_id": None, "transport": "urn:x-nmos:transport:rtp.mcast", "device_id": DEVICE,
            "manifest_href": f"{HERE}/x-nmos/connection/v1.1/single/senders/{SENDER}/transportfile",
            "interface_bindings": ["lo"], "subscription": {"receiver_id": None, "active": True}}


def device():
    return {"id": DEVICE, "version": "1:0", "label": "", "description": "", "tags": {},
            "type": "urn:x-nmos:device:generic", "node_id": "33333333-3333-4333-8333-333333333333", "senders": [SENDER],
            "receivers": [], "controls": [{"href": f"{HERE}/x-nmos/connection/v1.1",
                                           "type": "urn:x-nmos:control:sr-ctrl/v1.1"}]}


def described():
    return ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=Camera 1 sound\r\nt=0 0\r\nm=audio 5004 RTP/AVP 97\r\n"
            f"c=IN IP4 {state['group']}/32\r\na=rtpmap:97 L24/48000/2\r\na=ptime:1\r\n")


class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def say(self, status, body, kind="application/json"):
        body = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        kind = asked["resource_path"].strip("/")
        self.say(201, {"id": SENDER, "ws_href": f"ws://127.0.0.1:{PORT}/ws/{kind}"})

    def do_GET(self):
        path = self.path.split("?")[0].strip("/").split("/")
        if path[0] == "ws":
            return self.listen(path[1])
        match path:
            case ["x-nmos", "query"]:
                self.say(200, ["v1.3/"])
            case ["x-nmos", "query", "v1.3", "senders"]:
                self.say(200, [sender()] if state["there"] and "0:0" in self.path else [])
            case ["x-nmos", "query", "v1.3", "devices"]:
                self.say(200, [device()] if "0:0" in self.path else [])
            case ["x-nmos", "query", "v1.3", _]:
                self.say(200, [])
            case ["x-nmos", "connection", "v1.1", "single", "senders", _, "active"]:
                leg = {"source_ip": "127.0.0.1", "destination_ip": state["group"], "source_port": 5004,
                       "destination_port": 5004, "rtp_enabled": True}
                self.say(200, {"receiver_id": None, "master_enable": True, "transport_params": [leg],
                               "activation": {"mode": None, "requested_time": None, "activation_time": None}})
            case ["x-nmos", "connection", "v1.1", "single", "senders", _, "transportfile"]:
                self.say(200, described(), "application/sdp")
            case _:
                self.say(404, {})

    def listen(self, kind):
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        self.end_headers()
        with lock:
            subscribers.append((kind, self.wfile))
        while self.rfile.read(1):
            pass


def tell(before, after):
    grain = {"grain_type": "event", "source_id": SENDER, "flow_id": SENDER, "origin_timestamp": "0:0",
             "sync_timestamp": "0:0", "creation_timestamp": "0:0", "rate": {"numerator": 0, "denominator": 1},
             "duration": {"numerator": 0, "denominator": 1},
             "grain": {"type": "urn:x-nmos:format:data.event", "topic": "/senders/",
                       "data": [{"path": SENDER, **before, **after}]}}
    text = json.dumps(grain).encode()
    with lock:
        for kind, to in subscribers:
            if kind == "senders":
                to.write(struct.pack("!BBH", 0x81, 126, len(text)) + text)
                to.flush()


def obey():
    for line in sys.stdin:
        before = {"pre": sender()}
        if line.startswith("move "):
            state["group"] = line.split()[1]
            state["version"] += 1
            tell(before, {"post": sender()})
        elif line.startswith("remove"):
            state["there"] = False
            tell(before, {})


http.server.ThreadingHTTPServer.daemon_threads = True
server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Answers)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(json.dumps({}), flush=True)
obey()
