# AMQP 0-9-1: a message is put into a queue and taken out.
packages="rabbitmq-server python3-pika"
port=5672
filter="port $port_here"
serve() {
    mkdir -p /run/rabbit && printf 'loopback_users = none\nlisteners.tcp.1 = 127.0.0.1:%s\n' "$1" > rabbit.conf
    chmod 777 .
    export RABBITMQ_CONFIG_FILE=$PWD/rabbit.conf RABBITMQ_MNESIA_BASE=$PWD/mnesia RABBITMQ_LOG_BASE=$PWD/log RABBITMQ_NODENAME=corpus@localhost \
        RABBITMQ_ENABLED_PLUGINS_FILE=$PWD/plugins RABBITMQ_PID_FILE=$PWD/pid
    /usr/lib/rabbitmq/bin/rabbitmq-server & wait_tcp "$1"
}
call() {
    /usr/bin/python3 - "$1" <<END
import sys, pika
connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", int(sys.argv[1])))
channel = connection.channel()
channel.queue_declare("colour")
channel.basic_publish("", "colour", b"blue")
assert channel.basic_get("colour", auto_ack=True)[2] == b"blue"
connection.close()
END
}
