# SMTP: one mail.
packages="python3-aiosmtpd swaks"
port=25
serve() { python3 -m aiosmtpd -n -l "127.0.0.1:$1" & wait_tcp "$1"; }
call() { swaks --server 127.0.0.1 --port "$1" --helo corpus.example --from a@corpus.example --to b@corpus.example --hide-all; }
