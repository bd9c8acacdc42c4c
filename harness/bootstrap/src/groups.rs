//! Groups of observations laid out in one buffer.

use crate::dice::Dice;
use crate::error::Error;

/// Refuses no group, an empty group, and sizes beyond the index type.
pub(crate) fn check_groups<T>(groups: &[&[T]]) -> Result<(), Error> {
    let limit = u32::MAX as usize;
    let largest = groups
        .iter()
        .map(|g| g.len())
        .max()
        .ok_or(Error::Empty)?
        .max(groups.len());
    if groups.iter().any(|g| g.is_empty()) {
        Err(Error::Empty)
    } else if largest > limit {
        Err(Error::TooManyValues {
            given: largest,
            limit,
        })
    } else {
        Ok(())
    }
}

/// Resamples every group with replacement, one after the other.
pub(crate) fn refill<T: Copy>(buffer: &mut Vec<T>, groups: &[&[T]], dice: &mut Dice) {
    buffer.clear();
    for group in groups {
        dice.each(group.len(), group.len() as u64, |index| {
            buffer.push(group[index])
        });
    }
}

/// The buffer cut at the sizes of the groups.
pub(crate) fn slices<'a, T>(buffer: &'a [T], groups: &[&[T]]) -> Vec<&'a [T]> {
    let mut rest = buffer;
    groups
        .iter()
        .map(|group| {
            let (head, tail) = rest.split_at(group.len());
            rest = tail;
            head
        })
        .collect()
}

/// A copy without observation `i`.
pub(crate) fn without<T: Copy>(group: &[T], i: usize) -> Vec<T> {
    group[..i].iter().chain(&group[i + 1..]).copied().collect()
}
