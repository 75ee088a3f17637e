# LDAP: a simple bind, an entry is added and found.
packages="slapd ldap-utils"
port=389
serve() {
    mkdir -p data
    printf 'include /etc/ldap/schema/core.schema\ndatabase ldif\nsuffix dc=example\nrootdn cn=root,dc=example\nrootpw made-up\ndirectory %s\n' \
        "$PWD/data" > slapd.conf
    /usr/sbin/slapd -d 0 -f slapd.conf -h "ldap://127.0.0.1:$1" & wait_tcp "$1"
}
call() {
    printf 'dn: dc=example\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: corpus\n' > entry
    ldapadd -x -H "ldap://127.0.0.1:$1" -D cn=root,dc=example -w made-up -f entry \
        && ldapsearch -x -H "ldap://127.0.0.1:$1" -b dc=example
}
