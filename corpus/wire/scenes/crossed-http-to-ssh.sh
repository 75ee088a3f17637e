# A client that speaks HTTP to an SSH server: that was an attempt, and the server stays what it is.
packages="openssh-server curl"
port=22
prepare() { mkdir -p /run/sshd && ssh-keygen -q -t ed25519 -N '' -f host; }
serve() {
    /usr/sbin/sshd -D -e -p "$1" -h "$PWD/host" -o UsePAM=no -o PidFile=none -o ListenAddress=127.0.0.1 & wait_tcp "$1"
}
call() { curl -s -m 5 --http0.9 "http://127.0.0.1:$1/" -o /dev/null; true; }
