# MySQL, as MariaDB speaks it: a login and two questions.
packages="mariadb-server-core mariadb-client-core"
port=3306
prepare() {
    mariadb-install-db --no-defaults --datadir="$PWD/data" --user=root --auth-root-authentication-method=normal --skip-test-db
}
serve() {
    mariadbd --no-defaults --datadir="$PWD/data" --user=root --port="$1" --bind-address=127.0.0.1 --socket="$PWD/socket" &
    wait_tcp "$1"
}
call() { mariadb --no-defaults -h 127.0.0.1 -P "$1" -u root -e 'select 420; select colour from nowhere.nothing' || [ $? = 1 ]; }
