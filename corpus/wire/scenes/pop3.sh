# POP3: a login, and the list of messages.
packages="dovecot-pop3d curl"
port=110
serve() {
    mkdir -p mail state && chown mail mail
    cat > dovecot.conf <<END
base_dir = $PWD/state
log_path = /dev/stderr
listen = 127.0.0.1
protocols = pop3
ssl = no
disable_plaintext_auth = no
mail_location = maildir:~/box
first_valid_uid = 1
passdb {
  driver = static
  args = password=made-up
}
userdb {
  driver = static
  args = uid=mail gid=mail home=$PWD/mail
}
service pop3-login {
  inet_listener pop3 {
    port = $1
  }
  inet_listener pop3s {
    port = 0
  }
}
END
    dovecot -F -c dovecot.conf & wait_tcp "$1"
}
call() { curl -s -u reader:made-up "pop3://127.0.0.1:$1/"; }
