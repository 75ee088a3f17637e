# Syslog: RFC 3164 and RFC 5424 by UDP, RFC 5424 by TCP with its length before it.
packages="rsyslog bsdutils"
port=514
serve() {
    printf 'module(load="imudp")\nmodule(load="imtcp")\ninput(type="imudp" address="127.0.0.1" port="%s")\ninput(type="imtcp" address="127.0.0.1" port="%s")\n*.* %s\n' \
        "$1" "$1" "$PWD/messages" > rsyslog.conf
    rsyslogd -n -f "$PWD/rsyslog.conf" -i NONE & wait_udp "$1" && wait_tcp "$1"
}
call() {
    logger -n 127.0.0.1 -P "$1" -d --rfc3164 -t corpus 'the colour is blue'
    logger -n 127.0.0.1 -P "$1" -d --rfc5424 -t corpus 'the colour is green'
    logger -n 127.0.0.1 -P "$1" -T --octet-count --rfc5424 -t corpus 'the colour is red'
}
