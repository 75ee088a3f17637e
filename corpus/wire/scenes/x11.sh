# X11 over TCP: the properties of a display are asked for. A display's number fixes its port.
packages="xvfb x11-utils"
port=6007
odd=no
serve() { rm -f /tmp/.X7-lock; Xvfb :7 -listen tcp -nolisten unix -ac -screen 0 64x64x8 & wait_tcp "$1"; }
call() { xdpyinfo -queryExtensions -display 127.0.0.1:7 | grep -q 64x64; }
