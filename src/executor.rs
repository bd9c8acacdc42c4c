//! Async arms, on any executor.

use evenhand_harness::suite::{ArmError, Bencher, Output, SlotValue, Subject};
use evenhand_harness::timer::Timer;
use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

/// Runs a future to its end. Implement it for your runtime in one line:
/// `fn block_on<F: Future>(&self, f: F) -> F::Output { self.0.block_on(f) }`.
pub trait Executor {
    /// Runs `future` to its end.
    fn block_on<F: Future>(&self, future: F) -> F::Output;
}

/// An executor for futures that need no runtime: it parks the thread until
/// the future is woken.
#[derive(Clone, Copy, Debug, Default)]
pub struct ThreadExecutor;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

impl Executor for ThreadExecutor {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
        let mut future = pin!(future);
        loop {
            match future.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(output) => return output,
                Poll::Pending => std::thread::park(),
            }
        }
    }
}

/// Gives a [`Bencher`] async routines.
pub trait AsyncBencher {
    /// Times futures on `executor`: one call of the executor per slot, the
    /// iterations one after the other inside it.
    fn iter_async<E, F, O>(&mut self, executor: E, routine: impl FnMut() -> F + 'static)
    where
        E: Executor + 'static,
        F: Future<Output = O> + 'static,
        O: 'static;

    /// Like [`AsyncBencher::iter_async`]; what the future gives is the arm's
    /// output for verification.
    fn iter_async_returning<E, F, O>(&mut self, executor: E, routine: impl FnMut() -> F + 'static)
    where
        E: Executor + 'static,
        F: Future<Output = O> + 'static,
        O: Into<Output> + 'static;
}

impl AsyncBencher for Bencher {
    fn iter_async<E, F, O>(&mut self, executor: E, routine: impl FnMut() -> F + 'static)
    where
        E: Executor + 'static,
        F: Future<Output = O> + 'static,
        O: 'static,
    {
        self.register(Futures {
            executor,
            routine,
            output: |_| None,
        });
    }

    fn iter_async_returning<E, F, O>(&mut self, executor: E, routine: impl FnMut() -> F + 'static)
    where
        E: Executor + 'static,
        F: Future<Output = O> + 'static,
        O: Into<Output> + 'static,
    {
        self.register(Futures {
            executor,
            routine,
            output: |o: O| Some(o.into()),
        });
    }
}

struct Futures<E, R, O> {
    executor: E,
    routine: R,
    output: fn(O) -> Option<Output>,
}

impl<E, R, F, O> Subject for Futures<E, R, O>
where
    E: Executor,
    R: FnMut() -> F,
    F: Future<Output = O>,
{
    fn slot(&mut self, iterations: u64) -> Result<SlotValue, ArmError> {
        let routine = &mut self.routine;
        let host_ns = self.executor.block_on(async move {
            let timer = Timer::start();
            for _ in 0..iterations {
                black_box(routine().await);
            }
            timer.elapsed_ns()
        });
        Ok(SlotValue::from_host_time(host_ns, iterations))
    }

    fn output(&mut self) -> Result<Option<Output>, ArmError> {
        let routine = &mut self.routine;
        let output = self.executor.block_on(async move { routine().await });
        Ok((self.output)(output))
    }
}
