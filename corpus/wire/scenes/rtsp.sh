# RTSP: a second of sound, inside the same connection.
packages="gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-base gstreamer1.0-plugins-good ffmpeg"
port=554
serve() {
    cat > server.py <<END
import sys, gi
gi.require_version("Gst", "1.0"); gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer
Gst.init(None)
server = GstRtspServer.RTSPServer(address="127.0.0.1", service=sys.argv[1])
factory = GstRtspServer.RTSPMediaFactory()
factory.set_launch("( audiotestsrc is-live=true ! audio/x-raw,rate=8000,channels=1 ! mulawenc ! rtppcmupay name=pay0 pt=0 )")
server.get_mount_points().add_factory("/sound", factory)
server.attach(None)
GLib.MainLoop().run()
END
    /usr/bin/python3 server.py "$1" & wait_tcp "$1"
}
call() { timeout 20 ffmpeg -v error -rtsp_transport tcp -i "rtsp://127.0.0.1:$1/sound" -t 1 -f null -; }
