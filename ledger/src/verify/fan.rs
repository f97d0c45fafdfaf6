//! Doing the same thing to many items, on as many cores as the caller allows.

/// What `each` makes of every one of `items`, in their order.
#[cfg(not(target_arch = "wasm32"))]
pub(super) fn map<'items, Item: Sync, Made: Send>(
    items: &'items [Item],
    threads: usize,
    each: impl Fn(&'items Item) -> Made + Sync,
) -> Vec<Made> {
    let share = items.len().div_ceil(threads.max(1)).max(1);
    if items.len() <= share {
        return items.iter().map(each).collect();
    }
    std::thread::scope(|scope| {
        let each = &each;
        let workers: Vec<_> = items
            .chunks(share)
            .map(|part| scope.spawn(move || part.iter().map(each).collect::<Vec<Made>>()))
            .collect();
        let mut made = Vec::with_capacity(items.len());
        for worker in workers {
            match worker.join() {
                Ok(part) => made.extend(part),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        made
    })
}

/// A page has one thread.
#[cfg(target_arch = "wasm32")]
pub(super) fn map<'items, Item, Made>(
    items: &'items [Item],
    _threads: usize,
    each: impl Fn(&'items Item) -> Made,
) -> Vec<Made> {
    items.iter().map(each).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_the_same_on_any_number_of_threads() {
        let items: Vec<u32> = (0..10).collect();
        let doubled: Vec<u32> = items.iter().map(|item| item * 2).collect();

        for threads in 0..12 {
            assert_eq!(map(&items, threads, |item| item * 2), doubled);
        }
        assert!(map(&items[..0], 4, |item| item * 2).is_empty());
    }
}
