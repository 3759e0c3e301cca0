//! Second factors: codes by time, and recovery codes for whoever lost the device.

use super::Result;
use super::code::GroupedCode;
use crate::crypto::{Entropy, TOTP_DIGITS, TOTP_STEP_SECONDS, TotpSecret, equal};
use crate::domain::{Now, UserNo};
use crate::store::{SecondFactorRow, WriteTx};

/// Recovery codes a user gets.
pub const RECOVERY_CODES: usize = 10;
/// Steps a clock may be off, to each side (RFC 6238, section 5.2).
const DRIFT_STEPS: u64 = 1;
/// Wrong codes after which none is looked at for a while: a million codes are soon tried.
pub const WRONG_CODES_MAX: u32 = 5;
/// That while, in steps: five minutes.
const WRONG_STEPS: u64 = 10;

/// Checks a code of a user against their secret: of the authenticator program, within one step, or a
/// recovery code. What was taken is used up; wrong ones are counted. The caller commits either way.
pub fn take_code(
    tx: &WriteTx<'_>,
    mut row: SecondFactorRow,
    secret: &TotpSecret,
    code: &str,
    now: Now,
) -> Result<bool> {
    let step = step_of(now);
    // The clock may have been set back: the while is as long on both sides.
    let is_counted = step.abs_diff(row.wrong_since) < WRONG_STEPS;
    if is_counted && row.wrong >= WRONG_CODES_MAX {
        return Ok(false);
    }
    let code: String = code.chars().filter(|letter| *letter != ' ').collect();
    let right = match code.len() == TOTP_DIGITS {
        true => match matching_step(secret, &code, step, row.last_step) {
            Some(taken) => {
                row.last_step = taken;
                true
            }
            None => false,
        },
        false => match GroupedCode::read(&code) {
            Some(code) => tx.take_recovery_code(row.user, &code.hash())?,
            None => false,
        },
    };
    (row.wrong, row.wrong_since) = match (right, is_counted) {
        (true, _) => (0, 0),
        (false, true) => (row.wrong + 1, row.wrong_since),
        (false, false) => (1, step),
    };
    tx.put_second_factor(&row)?;
    Ok(right)
}

/// Takes an offered second factor into use when the code proves that its owner has it.
pub fn confirm_factor(
    tx: &WriteTx<'_>,
    mut row: SecondFactorRow,
    secret: &TotpSecret,
    code: &str,
    now: Now,
    entropy: &dyn Entropy,
) -> Result<Option<Vec<String>>> {
    let code: String = code.chars().filter(|letter| *letter != ' ').collect();
    let Some(taken) = matching_step(secret, &code, step_of(now), row.last_step) else {
        return Ok(None);
    };
    row.last_step = taken;
    row.in_use = true;
    tx.put_second_factor(&row)?;
    Ok(Some(new_recovery_codes(tx, row.user, entropy)?))
}

fn new_recovery_codes(
    tx: &WriteTx<'_>,
    user: UserNo,
    entropy: &dyn Entropy,
) -> Result<Vec<String>> {
    (0..RECOVERY_CODES)
        .map(|_| {
            let code = GroupedCode::random(entropy);
            tx.insert_recovery_code(user, &code.hash())?;
            Ok(code.to_string())
        })
        .collect()
}

/// The step near `step`, later than `last`, whose code this is.
fn matching_step(secret: &TotpSecret, code: &str, step: u64, last: u64) -> Option<u64> {
    (step.saturating_sub(DRIFT_STEPS)..=step + DRIFT_STEPS)
        .filter(|step| *step > last)
        .find(|step| equal(secret.code(*step).as_bytes(), code.as_bytes()))
}

/// The step of the wall clock: the device of the person goes by it too.
fn step_of(now: Now) -> u64 {
    u64::try_from(now.wall.seconds() / TOTP_STEP_SECONDS).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SeededEntropy;

    #[test]
    fn one_step_of_drift_and_never_twice() {
        let secret = TotpSecret::random(&SeededEntropy::new(8));
        for (of, taken) in [(97, None), (98, None), (99, Some(99)), (100, Some(100))] {
            assert_eq!(matching_step(&secret, &secret.code(of), 100, 0), taken);
        }
        assert_eq!(matching_step(&secret, &secret.code(101), 100, 0), Some(101));
        assert_eq!(matching_step(&secret, &secret.code(102), 100, 0), None);
        assert_eq!(matching_step(&secret, &secret.code(100), 100, 100), None);
        assert_eq!(matching_step(&secret, &secret.code(99), 100, 100), None);
        assert_eq!(matching_step(&secret, "", 100, 0), None);
    }
}
