# MQTT 3.1.1 and 5: one waits for a message, the other publishes it.
packages="mosquitto mosquitto-clients"
port=1883
serve() {
    printf 'user root\nlistener %s 127.0.0.1\nallow_anonymous true\n' "$1" > mosquitto.conf
    mosquitto -c mosquitto.conf & wait_tcp "$1"
}
call() {
    mosquitto_sub -h 127.0.0.1 -p "$1" -i reader -t colour -C 1 -W 10 & reader=$!
    sleep 0.5
    mosquitto_pub -h 127.0.0.1 -p "$1" -i writer -V 5 -q 1 -t colour -m blue
    wait "$reader"
}
