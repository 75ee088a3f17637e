//! The calls to Windows, each behind a safe function.

#![expect(unsafe_code, reason = "the Win32 API is C")]

use std::collections::BTreeMap;
use std::fmt;
use std::mem::{size_of, zeroed};
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr::null_mut;

use model::Reason;
use windows_sys::Wdk::System::SystemServices::RtlGetVersion;
use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_PARAMETER, FILETIME, GetLastError,
    INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::NetworkManagement::IpHelper::{
    GetExtendedTcpTable, GetExtendedUdpTable, TCP_TABLE_OWNER_PID_ALL, UDP_TABLE_OWNER_PID,
};
use windows_sys::Win32::Networking::WinSock::{AF_INET, AF_INET6};
use windows_sys::Win32::Security::{GetTokenInformation, TOKEN_ELEVATION, TOKEN_QUERY, TokenElevation};
use windows_sys::Win32::System::Diagnostics::ToolHelp::{
    CreateToolhelp32Snapshot, PROCESSENTRY32W, Process32FirstW, Process32NextW, TH32CS_SNAPPROCESS,
};
use windows_sys::Win32::System::SystemInformation::{
    ComputerNamePhysicalDnsHostname, GetComputerNameExW, OSVERSIONINFOW,
};
use windows_sys::Win32::System::Threading::{
    GetCurrentProcess, GetProcessTimes, OpenProcess, OpenProcessToken, PROCESS_QUERY_LIMITED_INFORMATION,
    QueryFullProcessImageNameW,
};
use wire::windows_table::Table;

/// The most bytes a table may have; more is not a table.
const TABLE_LIMIT_BYTES: u32 = 256 << 20;
/// A path may have this many UTF-16 units.
const PATH_UNITS: u32 = 32_768;
/// FILETIME counts 100 ns from 1601; this many lie before 1970.
const BEFORE_1970: i64 = 116_444_736_000_000_000;

/// An error number of Windows.
#[derive(Debug, Clone, Copy)]
pub struct Refused(u32);

impl Refused {
    fn last() -> Refused {
        // SAFETY: it reads a number of this thread.
        Refused(unsafe { GetLastError() })
    }

    /// Why we could not look.
    pub fn reason(self) -> Reason {
        match self.0 {
            ERROR_ACCESS_DENIED => Reason::NoPermission,
            // The number is nobody's any more.
            ERROR_INVALID_PARAMETER => Reason::Exited,
            _ => Reason::Unknown,
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Windows error {}", self.0)
    }
}

/// The bytes of one socket table.
pub fn socket_table(table: Table) -> Result<Vec<u8>, Refused> {
    // The table may grow between two calls, so that the first answer is not always enough.
    let mut size: u32 = 16 * 1024;
    for _ in 0..8 {
        // Words, so that the rows are aligned.
        let mut buffer = vec![0_u64; usize::try_from(size.div_ceil(8)).unwrap_or(0)];
        let mut bytes = size;
        let family = u32::from(if matches!(table, Table::Tcp4 | Table::Udp4) { AF_INET } else { AF_INET6 });
        let pointer = buffer.as_mut_ptr().cast();
        let answer = if table.is_tcp() {
            // SAFETY: the buffer has at least `bytes` bytes, and both outlive the call.
            unsafe { GetExtendedTcpTable(pointer, &mut bytes, 0, family, TCP_TABLE_OWNER_PID_ALL, 0) }
        } else {
            // SAFETY: as above.
            unsafe { GetExtendedUdpTable(pointer, &mut bytes, 0, family, UDP_TABLE_OWNER_PID, 0) }
        };
        match answer {
            0 => return Ok(buffer.iter().flat_map(|word| word.to_ne_bytes()).collect()),
            ERROR_INSUFFICIENT_BUFFER if bytes < TABLE_LIMIT_BYTES => size = bytes.max(size) + bytes / 4,
            other => return Err(Refused(other)),
        }
    }
    Err(Refused(ERROR_INSUFFICIENT_BUFFER))
}

/// A running process.
#[derive(Debug, Clone)]
pub struct Running {
    /// The process that started it; its number may have been used again.
    pub parent: u32,
    /// The file name of its executable.
    pub name: String,
}

/// Every running process by its number.
pub fn processes() -> Result<BTreeMap<u32, Running>, Refused> {
    // SAFETY: it takes two numbers and gives a handle, which is ours.
    let handle = unsafe { CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0) };
    if handle == INVALID_HANDLE_VALUE {
        return Err(Refused::last());
    }
    // SAFETY: the handle is valid, ours, and closed by nobody else.
    let handle = unsafe { OwnedHandle::from_raw_handle(handle) };
    // SAFETY: all fields are numbers; zero is a value of each.
    let mut entry: PROCESSENTRY32W = unsafe { zeroed() };
    entry.dwSize = u32::try_from(size_of::<PROCESSENTRY32W>()).unwrap_or(0);
    let mut found = BTreeMap::new();
    // SAFETY: the handle is open and the entry says its size.
    let mut more = unsafe { Process32FirstW(handle.as_raw_handle(), &mut entry) };
    while more != 0 {
        let name = text(&entry.szExeFile);
        found.insert(entry.th32ProcessID, Running { parent: entry.th32ParentProcessID, name });
        // SAFETY: as above.
        more = unsafe { Process32NextW(handle.as_raw_handle(), &mut entry) };
    }
    Ok(found)
}

/// Opens a process to be asked what everybody may know.
pub fn open(pid: u32) -> Result<OwnedHandle, Refused> {
    // SAFETY: it takes numbers and gives a handle, which is ours, or null.
    let handle = unsafe { OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, pid) };
    if handle.is_null() {
        return Err(Refused::last());
    }
    // SAFETY: the handle is valid, ours, and closed by nobody else.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

/// The path of the file that a process runs.
pub fn image(process: &OwnedHandle) -> Result<String, Refused> {
    let mut units = PATH_UNITS;
    let mut buffer = vec![0_u16; usize::try_from(PATH_UNITS).unwrap_or(0)];
    // SAFETY: the buffer has `units` units, and both outlive the call.
    let done =
        unsafe { QueryFullProcessImageNameW(process.as_raw_handle(), 0, buffer.as_mut_ptr(), &mut units) };
    if done == 0 { Err(Refused::last()) } else { Ok(text(&buffer)) }
}

/// When a process started, in nanoseconds since 1970.
pub fn started_ns(process: &OwnedHandle) -> Result<i64, Refused> {
    let none = FILETIME { dwLowDateTime: 0, dwHighDateTime: 0 };
    let (mut created, mut ended, mut kernel, mut user) = (none, none, none, none);
    // SAFETY: four structures of ours, which outlive the call.
    let done =
        unsafe { GetProcessTimes(process.as_raw_handle(), &mut created, &mut ended, &mut kernel, &mut user) };
    if done == 0 {
        return Err(Refused::last());
    }
    let ticks = i64::from(created.dwHighDateTime) << 32 | i64::from(created.dwLowDateTime);
    Ok(ticks.saturating_sub(BEFORE_1970).saturating_mul(100))
}

/// The machine's name.
pub fn hostname() -> String {
    let mut buffer = [0_u16; 256];
    let mut units = 256;
    // SAFETY: the buffer has `units` units, and both outlive the call.
    let done =
        unsafe { GetComputerNameExW(ComputerNamePhysicalDnsHostname, buffer.as_mut_ptr(), &mut units) };
    if done == 0 { String::new() } else { text(&buffer) }
}

/// The version of Windows, as in `10.0.22631`.
pub fn release() -> String {
    // SAFETY: all fields are numbers; zero is a value of each.
    let mut version: OSVERSIONINFOW = unsafe { zeroed() };
    version.dwOSVersionInfoSize = u32::try_from(size_of::<OSVERSIONINFOW>()).unwrap_or(0);
    // SAFETY: the structure says its size and outlives the call.
    let status = unsafe { RtlGetVersion(&mut version) };
    if status != 0 {
        return String::new();
    }
    format!("{}.{}.{}", version.dwMajorVersion, version.dwMinorVersion, version.dwBuildNumber)
}

/// Whether we run with an administrator's rights.
pub fn elevated() -> bool {
    let mut handle = null_mut();
    // SAFETY: it gives a constant that stands for ourselves.
    let own = unsafe { GetCurrentProcess() };
    // SAFETY: the place for the handle outlives the call.
    if unsafe { OpenProcessToken(own, TOKEN_QUERY, &mut handle) } == 0 {
        return false;
    }
    // SAFETY: the handle is valid, ours, and closed by nobody else.
    let token = unsafe { OwnedHandle::from_raw_handle(handle) };
    let mut elevation = TOKEN_ELEVATION { TokenIsElevated: 0 };
    let bytes = u32::try_from(size_of::<TOKEN_ELEVATION>()).unwrap_or(0);
    let mut written = 0;
    let place = (&raw mut elevation).cast();
    // SAFETY: the place has `bytes` bytes and outlives the call.
    let done =
        unsafe { GetTokenInformation(token.as_raw_handle(), TokenElevation, place, bytes, &mut written) };
    done != 0 && elevation.TokenIsElevated != 0
}

/// Text up to its NUL.
fn text(units: &[u16]) -> String {
    let end = units.iter().position(|unit| *unit == 0).unwrap_or(units.len());
    String::from_utf16_lossy(units.get(..end).unwrap_or_default())
}
