//! An opened card: one context, one stream.

use super::super::{Card, DeviceError, Selector};
use super::driver::{attribute, check, probe};
use crate::device::Probe;
use cudarc::driver::sys;
use std::cell::RefCell;
use std::time::{Duration, Instant};

/// How long the device may work on one request.
const DEFAULT_LIMIT: Duration = Duration::from_secs(60);

/// The primary context of a card and a stream on it.
///
/// It lives until the process ends. When the device hangs or a kernel breaks
/// the context it is *lost*: from then on nothing is freed, because freeing
/// would wait for ever or fail.
pub(super) struct Context {
    pub card: Card,
    pub device: sys::CUdevice,
    pub driver: u32,
    pub stream: sys::CUstream,
    pub l2_bytes: usize,
    pub multiprocessors: u32,
    pub limit: Duration,
    lost: RefCell<Option<DeviceError>>,
}

/// Codes after which every call of the process gives the same code, as the
/// driver's manual says of them, and the two that a card gives that is gone.
fn breaks_context(code: u32) -> bool {
    matches!(
        code,
        46 | 214 | 220 | 226 | 700 | 702 | 710 | 714..=719 | 721 | 999
    )
}

impl Context {
    pub fn open(selector: &Selector) -> Result<Self, DeviceError> {
        let found = probe();
        let Probe::Ready { version, cards } = found else {
            return Err(DeviceError::Unavailable(found.to_string()));
        };
        let index = match selector {
            Selector::First => 0,
            Selector::Index(index) => *index,
            Selector::Uuid(uuid) => {
                let mut fitting = cards
                    .iter()
                    .enumerate()
                    .filter(|(_, card)| card.uuid.to_ascii_lowercase().starts_with(uuid));
                match (fitting.next(), fitting.next()) {
                    (Some((index, _)), None) => index,
                    (Some(_), Some(_)) => {
                        return Err(DeviceError::Unavailable(format!(
                            "more than one card has a UUID that starts with {uuid}; give more of it"
                        )));
                    }
                    (None, _) => usize::MAX,
                }
            }
        };
        let Some(card) = cards.get(index).cloned() else {
            return Err(DeviceError::Unavailable(format!(
                "the card that was asked for is not there; there are {}",
                Probe::Ready { version, cards }
            )));
        };
        use sys::CUdevice_attribute_enum as Attribute;
        let (mut device, mut context, mut stream) = (0, std::ptr::null_mut(), std::ptr::null_mut());
        const NON_BLOCKING: u32 = 1;
        // SAFETY: `probe` found every function; the pointers are valid for one write each.
        unsafe {
            check("cuDeviceGet", sys::cuDeviceGet(&mut device, index as i32))?;
            check(
                "cuDevicePrimaryCtxRetain",
                sys::cuDevicePrimaryCtxRetain(&mut context, device),
            )?;
            check("cuCtxSetCurrent", sys::cuCtxSetCurrent(context))?;
            check(
                "cuStreamCreate",
                sys::cuStreamCreate(&mut stream, NON_BLOCKING),
            )?;
        }
        let seconds = std::env::var("EVENHAND_DEVICE_TIMEOUT").ok();
        let limit = match seconds.as_deref().map(str::parse::<f64>) {
            None => DEFAULT_LIMIT,
            Some(Ok(seconds)) if (0.001..1e6).contains(&seconds) => {
                Duration::from_secs_f64(seconds)
            }
            Some(_) => {
                return Err(DeviceError::Unavailable(
                    "EVENHAND_DEVICE_TIMEOUT: give seconds, such as 60".to_owned(),
                ));
            }
        };
        Ok(Self {
            l2_bytes: attribute(device, Attribute::CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE)? as usize,
            multiprocessors: attribute(
                device,
                Attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT,
            )?,
            device,
            card,
            driver: version,
            stream,
            limit,
            lost: RefCell::new(None),
        })
    }

    pub fn is_lost(&self) -> bool {
        self.lost.borrow().is_some()
    }

    /// Refuses a device that is lost, with what took it away.
    pub fn still_there(&self) -> Result<(), DeviceError> {
        match &*self.lost.borrow() {
            None => Ok(()),
            Some(cause) => Err(DeviceError::Lost {
                cause: cause.to_string(),
            }),
        }
    }

    /// Remembers an error that leaves nothing to go on with.
    fn remember(&self, error: DeviceError) -> DeviceError {
        let lost = match &error {
            DeviceError::Driver { code, .. } => breaks_context(*code),
            DeviceError::Hang { .. } => true,
            _ => false,
        };
        if lost {
            self.lost.borrow_mut().get_or_insert(error.clone());
        }
        error
    }

    /// Takes back what may keep lines in the second-level cache over a flush.
    pub fn forbid_persisting_lines(&self) -> Result<(), DeviceError> {
        // SAFETY: plain calls on the current context.
        unsafe {
            let set = sys::cuCtxSetLimit(sys::CUlimit::CU_LIMIT_PERSISTING_L2_CACHE_SIZE, 0);
            // Cards without such lines do not know the limit.
            let unknown = [
                sys::CUresult::CUDA_ERROR_UNSUPPORTED_LIMIT,
                sys::CUresult::CUDA_ERROR_NOT_SUPPORTED,
                sys::CUresult::CUDA_ERROR_INVALID_VALUE,
            ];
            if unknown.contains(&set) {
                return Ok(());
            }
            check("cuCtxSetLimit", set)?;
            check(
                "cuCtxResetPersistingL2Cache",
                sys::cuCtxResetPersistingL2Cache(),
            )
        }
    }

    /// Waits until an event has happened, but not for ever.
    pub fn wait(&self, event: sys::CUevent) -> Result<(), DeviceError> {
        let start = Instant::now();
        loop {
            // SAFETY: a live event of this context.
            match unsafe { sys::cuEventQuery(event) } {
                sys::CUresult::CUDA_ERROR_NOT_READY => {}
                result => {
                    return check("cuEventQuery", result).map_err(|e| self.remember(e));
                }
            }
            if start.elapsed() > self.limit {
                return Err(self.remember(DeviceError::Hang { limit: self.limit }));
            }
            std::hint::spin_loop();
        }
    }

    /// Waits for everything on the device, other streams included; gives how
    /// long that took, nanoseconds.
    pub fn drain(&self) -> Result<f64, DeviceError> {
        let start = Instant::now();
        // SAFETY: a plain call on the current context.
        check("cuCtxSynchronize", unsafe { sys::cuCtxSynchronize() })
            .map_err(|e| self.remember(e))?;
        Ok(start.elapsed().as_nanos() as f64)
    }

    pub fn free_memory(&self) -> Result<u64, DeviceError> {
        let (mut free, mut total) = (0, 0);
        // SAFETY: both pointers are valid for one write.
        check("cuMemGetInfo_v2", unsafe {
            sys::cuMemGetInfo_v2(&mut free, &mut total)
        })?;
        Ok(free as u64)
    }
}
