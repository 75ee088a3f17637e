# SSH on the port of DNS.
packages="openssh-server openssh-client"
port=53
odd=no
prepare() {
    mkdir -p /run/sshd
    ssh-keygen -q -t ed25519 -N '' -f host
    ssh-keygen -q -t ed25519 -N '' -f user
    cp user.pub authorized
    chmod 600 authorized
}
serve() {
    /usr/sbin/sshd -D -e -p "$1" -h "$PWD/host" -o "AuthorizedKeysFile=$PWD/authorized" -o StrictModes=no \
        -o UsePAM=no -o PidFile=none -o PermitRootLogin=yes -o ListenAddress=127.0.0.1 &
    wait_tcp "$1"
}
call() {
    ssh -p "$1" -i user -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o IdentitiesOnly=yes \
        root@127.0.0.1 true
}
