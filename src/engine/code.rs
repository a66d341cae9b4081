//! Code that only the start needed, handed back.

use std::ops::Range;

use tracing::info;

/// The kernel's account of a process's memory (proc_pid_smaps(5)).
const SMAPS: &str = "/proc/self/smaps";

/// Has the system take back what it has read of the libraries' code.
///
/// A start runs through far more of it than a show does: the compiler of a software
/// rasteriser alone is 50 MB, and is not called again. What a show needs comes back as
/// it is called, out of the system's cache of files; the rest is nobody's any more, and
/// the first to go when a game needs the memory. The program's own stays: a show needs
/// nearly all of it, and the first gift would wait for it.
pub(super) fn give_back() {
    if let Err(error) = std::fs::File::open(SMAPS) {
        info!(
            "code that only starting needed stays in memory, since {SMAPS} cannot be read: {error}"
        );
        return;
    }
    // SAFETY: the callback looks at nothing that it is given, and loads no library.
    #[expect(unsafe_code, reason = "only so is the loader's lock held")]
    let _is_one = unsafe { libc::dl_iterate_phdr(Some(give_back_unmoved), std::ptr::null_mut()) };
}

/// Called once, with the loader locked, so that no library goes meanwhile.
extern "C" fn give_back_unmoved(
    _: *mut libc::dl_phdr_info,
    _: usize,
    _: *mut libc::c_void,
) -> libc::c_int {
    let smaps = std::fs::read_to_string(SMAPS).unwrap_or_default();
    let own = give_back as fn() as usize;
    let libraries = of_files(&smaps).into_iter();
    for Range { start, end } in libraries.filter(|code| !code.contains(&own)) {
        // SAFETY: pages of a file that nobody has written to; whoever touches them
        // next reads the file again. The loader's lock keeps them where they are.
        #[expect(unsafe_code, reason = "there is no other way to say it")]
        let _may_be_locked =
            unsafe { libc::madvise(start as *mut _, end - start, libc::MADV_DONTNEED) };
    }
    1
}

/// Where files' code is mapped and as it is in the file.
fn of_files(smaps: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut candidate = None;
    for line in smaps.lines() {
        if let Some(written) = line.strip_prefix("Anonymous:") {
            // What a debugger writes over the code, say, is in no file.
            found.extend(candidate.take().filter(|_| written.trim() == "0 kB"));
        } else if line.contains(" r-xp ") {
            candidate = mapping(line);
        }
    }
    found
}

/// The mapping that `from-to permissions offset device inode path` begins, if it is a
/// file's, and the file is still there.
fn mapping(line: &str) -> Option<Range<usize>> {
    let mut words = line.split_ascii_whitespace();
    let (from, to) = words.next()?.split_once('-')?;
    let path = words.nth(4)?;
    let address = |text| usize::from_str_radix(text, 16).ok();
    let is_file = path.starts_with('/') && !path.starts_with("/memfd:");
    (is_file && !line.ends_with(" (deleted)")).then_some(address(from)?..address(to)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_that_is_in_a_file_as_it_is_in_memory_is_handed_back() {
        let smaps = "\
1000-3000 r-xp 00001000 08:01 42         /usr/lib/my engine
Rss:                   8 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me
3000-4000 r--p 00003000 08:01 42         /usr/lib/my engine
Anonymous:             0 kB
5000-6000 r-xp 00000000 08:01 43         /usr/lib/with-a-breakpoint.so
Anonymous:             4 kB
6000-7000 r-xp 00000000 00:00 0
Anonymous:             0 kB
7000-8000 r-xp 00000000 00:00 0          [vdso]
Anonymous:             0 kB
8000-9000 r-xp 00000000 00:01 44         /memfd:compiled (deleted)
Anonymous:             0 kB
9000-a000 r-xp 00000000 08:01 45         /usr/lib/replaced.so (deleted)
Anonymous:             0 kB
7f0000000000-7f0000002000 r-xp 00000000 08:01 46 /usr/lib/libLLVM.so
Anonymous:             0 kB
";
        let expected = [0x1000..0x3000, 0x7f00_0000_0000..0x7f00_0000_2000];
        assert_eq!(of_files(smaps), expected);
    }

    #[test]
    fn libraries_go_and_still_run_and_the_program_stays() {
        // Of the program's code and of the libraries'.
        let resident = || -> [u64; 2] {
            let smaps = std::fs::read_to_string(SMAPS).unwrap();
            let program = std::env::current_exe().unwrap();
            let program = program.to_str().unwrap();
            let mut sizes = [0; 2];
            for one in smaps.split("VmFlags:").filter(|one| one.contains(" r-xp ")) {
                let size = one
                    .split("Rss:")
                    .nth(1)
                    .and_then(|it| it.split(" kB").next());
                let size: u64 = size.unwrap().trim().parse().unwrap();
                sizes[usize::from(!one.contains(program))] += size;
            }
            sizes
        };
        let before = resident();
        give_back();
        let after = resident();
        assert!(
            after[1] < before[1],
            "{after:?} kB of code, {before:?} before"
        );
        assert!(
            after[0] >= before[0],
            "{after:?} kB of code, {before:?} before"
        );
    }
}
