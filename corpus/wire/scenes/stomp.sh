# STOMP: a message is sent to a queue and heard.
python="coilmq stomp.py"
port=61613
serve() { coilmq -b 127.0.0.1 -p "$1" & wait_tcp "$1"; }
call() {
    python3 - "$1" <<END
import sys, time, stomp
class Ear(stomp.ConnectionListener):
    heard = None
    def on_message(self, frame): self.heard = frame.body
connection = stomp.Connection([("127.0.0.1", int(sys.argv[1]))])
ear = Ear()
connection.set_listener("", ear)
connection.connect(wait=True)
connection.subscribe("/queue/colour", id="1")
connection.send("/queue/colour", "blue")
for _ in range(50):
    time.sleep(0.1)
    if ear.heard: break
assert ear.heard == "blue"
connection.disconnect()
END
}
