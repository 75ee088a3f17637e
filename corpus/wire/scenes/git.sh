# Git: a repository of one file is cloned.
packages="git"
port=9418
prepare() {
    git init -q colours && echo blue > colours/blue
    git -C colours add blue
    git -C colours -c user.name=corpus -c user.email=corpus@corpus.example commit -q -m blue
}
serve() { git daemon --export-all --base-path="$PWD" --listen=127.0.0.1 --port="$1" & wait_tcp "$1"; }
call() { git clone -q "git://127.0.0.1:$1/colours" copy; }
