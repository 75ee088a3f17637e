# IEC 60870-5-104: a connection is started and a station is interrogated.
python="c104"
port=2404
serve() {
    cat > server.py <<END
import sys, time, c104
server = c104.Server(ip="127.0.0.1", port=int(sys.argv[1]))
station = server.add_station(common_address=47)
point = station.add_point(io_address=11, type=c104.Type.M_ME_NC_1)
point.value = 4.2
server.start()
time.sleep(50)
END
    python3 server.py "$1" & wait_tcp "$1"
}
call() {
    python3 - "$1" <<END
import sys, time, c104
client = c104.Client()
connection = client.add_connection(ip="127.0.0.1", port=int(sys.argv[1]), init=c104.Init.ALL)
client.start()
for _ in range(100):
    time.sleep(0.1)
    if connection.is_connected: break
assert connection.is_connected
time.sleep(1)
client.stop()
END
}
