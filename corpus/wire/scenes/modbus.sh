# Modbus/TCP: registers are read and written.
packages="python3-pymodbus python3-serial python3-serial-asyncio"
port=502
serve() {
    cat > server.py <<END
import sys
from pymodbus.server import StartTcpServer
from pymodbus.datastore import ModbusServerContext, ModbusSlaveContext, ModbusSequentialDataBlock
block = ModbusSequentialDataBlock(0, list(range(50)))
StartTcpServer(context=ModbusServerContext(slaves=ModbusSlaveContext(di=block, co=block, hr=block, ir=block), single=True),
               address=("127.0.0.1", int(sys.argv[1])))
END
    python3 server.py "$1" & wait_tcp "$1"
}
call() {
    python3 - "$1" <<END
import sys
from pymodbus.client import ModbusTcpClient
client = ModbusTcpClient("127.0.0.1", port=int(sys.argv[1]))
assert client.connect()
print(client.read_holding_registers(1, 8).registers, client.write_register(3, 77), client.read_coils(1, 5).bits)
client.close()
END
}
