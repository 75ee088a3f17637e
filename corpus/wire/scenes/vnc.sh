# VNC: a picture of a small screen is taken.
packages="tigervnc-standalone-server vncsnapshot"
port=5900
serve() { rm -f /tmp/.X9-lock; Xtigervnc :9 -rfbport "$1" -SecurityTypes None -interface 127.0.0.1 -geometry 64x64 -depth 16 & wait_tcp "$1"; }
# The client ends its whole process group.
call() { setsid vncsnapshot -quiet "127.0.0.1::$1" picture.jpg & sleep 4; }
