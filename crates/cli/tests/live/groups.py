# GStreamer's RTSP server, that sends a picture and sound to a group; and who asks it for them, again and again.
import re, time
import gi
for part in ("Gst", "GstRtsp", "GstRtspServer"):
    gi.require_version(part, "1.0")
from gi.repository import Gst, GstRtsp, GstRtspServer, GLib

Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service("8554")
factory = GstRtspServer.RTSPMediaFactory()
factory.set_launch(
    "( videotestsrc is-live=true ! video/x-raw,format=UYVY,width=160,height=120,framerate=25/1 ! rtpvrawpay name=pay0 pt=96 "
    "audiotestsrc is-live=true ! audio/x-raw,rate=48000,channels=2 ! audioconvert ! rtpL16pay name=pay1 pt=97 )")
pool = GstRtspServer.RTSPAddressPool()
pool.add_range("239.77.1.1", "239.77.1.1", 5000, 5009, 16)
factory.set_address_pool(pool)
factory.set_protocols(GstRtsp.RTSPLowerTrans.UDP_MCAST)
factory.set_multicast_iface("lo")
factory.set_shared(True)
server.get_mount_points().add_factory("/quay", factory)
server.attach(None)
threading.Thread(target=GLib.MainLoop().run, daemon=True).start()


def ask():
    with socket.create_connection(("127.0.0.1", 8554)) as s:
        answers = s.makefile("rb")
        count = 0

        def request(method, url, more=""):
            nonlocal count
            count += 1
            s.sendall(f"{method} {url} RTSP/1.0\r\nCSeq: {count}\r\n{more}\r\n".encode())
            head = {}
            while line := answers.readline().decode().strip():
                name, _, value = line.partition(": ")
                head[name.lower()] = value
            return head, answers.read(int(head.get("content-length", 0))).decode()

        base = "rtsp://127.0.0.1:8554/quay"
        head, text = request("DESCRIBE", base, "Accept: application/sdp\r\n")
        session = ""
        for control in re.findall(r"^a=control:(stream=.*?)\r?$", text, re.M):
            url = head.get("content-base", base + "/") + control
            set_up, _ = request("SETUP", url, "Transport: RTP/AVP;multicast\r\n" + session)
            session = "Session: " + set_up["session"].split(";")[0] + "\r\n"
        request("PLAY", base, session)
        time.sleep(1.5)


def forever():
    while True:
        try:
            ask()
        except (OSError, KeyError):
            # It is still busy with who came before.
            time.sleep(0.2)


threading.Thread(target=forever, daemon=True).start()
ready()
