# IRC: somebody comes, says a word in a channel, and goes.
packages="ngircd"
port=6667
serve() {
    printf '[Global]\nName = corpus.example\nInfo = corpus\nListen = 127.0.0.1\nPorts = %s\nServerUID = 0\nServerGID = 0\n[Options]\nPAM = no\nDNS = no\nIdent = no\n' \
        "$1" > ngircd.conf
    ngircd -n -f "$PWD/ngircd.conf" & wait_tcp "$1"
}
call() {
    exec 3<>"/dev/tcp/127.0.0.1/$1"
    printf 'NICK reader\r\nUSER reader 0 * :reader\r\n' >&3
    sleep 1
    printf 'JOIN #colour\r\nPRIVMSG #colour :blue\r\nQUIT\r\n' >&3
    timeout 5 cat <&3 | grep -q 'JOIN :#colour'
}
