//! Large buffers on huge pages, where the system gives them on request.
//!
//! Decode streams all weights for every token. Hardware prefetchers stop at
//! the end of a page and every page costs an address translation: pages of
//! 2 MiB instead of 4 KiB raise the bandwidth of one core by half.

/// Asks the system to put the buffer's memory on huge pages, now. Only a
/// request: it changes no value, does nothing where the system declines (other
/// than Linux 6.1 and later), and cannot help a buffer without a whole huge page.
pub fn prefer_huge_pages<T>(buffer: &mut [T]) {
    #[cfg(target_os = "linux")]
    advise(buffer);
    #[cfg(not(target_os = "linux"))]
    let _ = buffer;
}

#[cfg(target_os = "linux")]
fn advise<T>(buffer: &mut [T]) {
    /// Bytes of a huge page, a multiple of every usual page.
    const HUGE: usize = 2 << 20;
    let bytes = buffer.as_mut_ptr().cast::<u8>();
    let before = bytes.align_offset(HUGE);
    let inside = size_of_val(buffer).saturating_sub(before);
    if inside < HUGE {
        return;
    }
    // Pages written before stay small under MADV_HUGEPAGE alone, and memory
    // from the allocator often was: MADV_COLLAPSE moves them.
    // SAFETY: whole pages inside of `buffer`; both keep the content. A kernel
    // that knows neither answers with an error, which needs no care.
    unsafe {
        let (start, len) = (bytes.add(before).cast(), inside - inside % HUGE);
        libc::madvise(start, len, libc::MADV_HUGEPAGE);
        libc::madvise(start, len, libc::MADV_COLLAPSE);
    }
}
