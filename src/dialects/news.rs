//! Whether there is something for a connection's task to look at, and whether the task must be woken for it.
//!
//! Not here: what it is. Must hold: what is told after the task has looked last is seen before the task sleeps, or wakes it; a
//! task that is at work is not woken, for it looks before it sleeps.

use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;

/// News for one task.
#[derive(Debug, Default)]
pub(super) struct News {
    state: AtomicU8,
    task: AtomicWaker,
}

/// There is none, and the task is at work.
const NONE: u8 = 0;
/// There is none, and the task sleeps.
const ASLEEP: u8 = 1;
/// There is some.
const SOME: u8 = 2;

impl News {
    /// There is news.
    pub(super) fn tell(&self) {
        if self.state.swap(SOME, Ordering::AcqRel) == ASLEEP {
            self.task.wake();
        }
    }

    /// The task is at work, whoever woke it: it will look.
    pub(super) fn rise(&self) {
        if self.state.load(Ordering::Relaxed) == ASLEEP {
            let _told_meanwhile = self.state.compare_exchange(ASLEEP, NONE, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// Whether there was news: it is none any more.
    pub(super) fn take(&self) -> bool {
        self.state.load(Ordering::Relaxed) == SOME && self.state.swap(NONE, Ordering::AcqRel) == SOME
    }

    /// Ready when there was news. There is one task that asks, and it sleeps until then.
    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.take() {
            return Poll::Ready(());
        }
        self.task.register(cx.waker());
        match self.state.compare_exchange(NONE, ASLEEP, Ordering::AcqRel, Ordering::Acquire) {
            Err(SOME) => {
                self.take();
                Poll::Ready(())
            }
            _ => Poll::Pending,
        }
    }

    /// The task has ended.
    pub(super) fn let_go(&self) {
        drop(self.task.take());
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, AtomicUsize};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_task_is_woken_from_its_sleep_once_and_never_at_work() {
        let (news, woken) = (News::default(), Arc::new(Woken::default()));
        let waker = Arc::clone(&woken).into();
        let mut cx = Context::from_waker(&waker);
        news.tell();
        assert!(news.poll(&mut cx).is_ready(), "told before it ever slept");
        assert!(news.poll(&mut cx).is_pending());
        assert_eq!(woken.0.load(Ordering::Relaxed), 0);
        news.tell();
        news.tell();
        assert_eq!(woken.0.load(Ordering::Relaxed), 1);
        assert!(news.poll(&mut cx).is_ready(), "once for both");
        assert!(news.poll(&mut cx).is_pending());
        news.rise();
        news.tell();
        assert_eq!(woken.0.load(Ordering::Relaxed), 1, "it looks before it sleeps again");
        assert!(news.poll(&mut cx).is_ready());
        assert!(news.poll(&mut cx).is_pending());
        assert!(news.poll(&mut cx).is_pending(), "woken by something else");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn nothing_that_is_told_is_slept_through() {
        const TOLD: u32 = 200_000;
        let (news, last) = (Arc::new(News::default()), Arc::new(AtomicU32::new(0)));
        let telling = {
            let (news, last) = (Arc::clone(&news), Arc::clone(&last));
            move || {
                for number in 1..=TOLD {
                    last.store(number, Ordering::Relaxed);
                    news.tell();
                }
            }
        };
        let told = tokio::task::spawn_blocking(telling);
        let mut seen = 0;
        while seen < TOLD {
            poll_fn(|cx| {
                news.rise();
                news.poll(cx)
            })
            .await;
            seen = last.load(Ordering::Relaxed);
        }
        told.await.unwrap();
    }
}
