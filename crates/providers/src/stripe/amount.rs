//! Stripe's minor units.
//!
//! Stripe counts in its own smallest unit, which is not ISO 4217's everywhere: Icelandic króna and
//! Ugandan shilling are written with two decimals that are always zero, Malagasy ariary with none
//! (docs.stripe.com/currencies, "Special cases" and "Zero-decimal currencies"). What cannot be said
//! exactly in ISO's unit is a fault and never rounded.

use rollbook_domain::{Amount, AmountFault, Currency, Money, MoneyFault};
use rust_decimal::Decimal;

use crate::json::Json;

/// An amount of the API, and what it comes to.
pub(super) fn amount(units: &Json, currency: &Json) -> Amount {
    let code = currency.text();
    let units = match units {
        Json::Null => None,
        Json::Integer(units) => Some(i64::try_from(*units).map_err(|_| MoneyFault::OutOfRange)),
        _ => Some(Err(MoneyFault::NotDecimal)),
    };
    let money = match (units, code) {
        (None, _) => Err(AmountFault::MissingAmount),
        (_, None) => Err(AmountFault::MissingCurrency),
        (Some(units), Some(code)) => {
            let parsed = Currency::parse(code).ok_or(MoneyFault::Currency);
            parsed.and_then(|currency| exact(units?, currency)).map_err(AmountFault::Unreadable)
        }
    };
    let text = units.and_then(Result::ok).map(|units| written(units, code));
    Amount { text: text.unwrap_or_default(), currency: code.map(str::to_owned), money }
}

/// As a decimal for people; in plain units where the currency is unknown.
fn written(units: i64, code: Option<&str>) -> String {
    let decimals = code.and_then(Currency::parse).map_or(0, decimals);
    Decimal::new(units, decimals).to_string()
}

fn exact(units: i64, currency: Currency) -> Result<Money, MoneyFault> {
    let (theirs, iso) = (decimals(currency), currency.decimals());
    let factor = 10_i64.pow(theirs.abs_diff(iso));
    let minor = if theirs <= iso {
        units.checked_mul(factor).ok_or(MoneyFault::OutOfRange)?
    } else if units % factor == 0 {
        units / factor
    } else {
        return Err(MoneyFault::TooManyDecimals);
    };
    Ok(Money { minor, currency })
}

/// Decimals of Stripe's unit.
fn decimals(currency: Currency) -> u32 {
    match currency.as_str() {
        "MGA" => 0,
        "ISK" | "UGX" => 2,
        _ => currency.decimals(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(units: i128, code: &str) -> (String, Result<i64, AmountFault>) {
        let amount = amount(&Json::Integer(units), &Json::Text(code.to_owned()));
        (amount.text, amount.money.map(|money| money.minor))
    }

    #[test]
    fn every_exponent_is_converted_exactly() {
        let unreadable = |fault| Err(AmountFault::Unreadable(fault));
        for (units, code, text, minor) in [
            (1500, "usd", "15.00", Ok(1500)),
            (1500, "jpy", "1500", Ok(1500)),
            (500, "isk", "5.00", Ok(5)),
            (501, "isk", "5.01", unreadable(MoneyFault::TooManyDecimals)),
            (500, "ugx", "5.00", Ok(5)),
            (550, "ugx", "5.50", unreadable(MoneyFault::TooManyDecimals)),
            (5, "mga", "5", Ok(500)),
            (1230, "kwd", "1.230", Ok(1230)),
            (-700, "eur", "-7.00", Ok(-700)),
            (i128::from(i64::MAX), "mga", "9223372036854775807", unreadable(MoneyFault::OutOfRange)),
            (i128::from(u64::MAX), "usd", "", unreadable(MoneyFault::OutOfRange)),
            (1500, "dollars", "1500", unreadable(MoneyFault::Currency)),
        ] {
            assert_eq!(read(units, code), (text.to_owned(), minor), "{units} {code}");
        }
    }

    #[test]
    fn what_is_absent_is_said() {
        let text = |text: &str| Json::Text(text.to_owned());
        assert_eq!(amount(&Json::Null, &text("usd")).money, Err(AmountFault::MissingAmount));
        assert_eq!(amount(&Json::Integer(1), &Json::Null).money, Err(AmountFault::MissingCurrency));
        let fraction = amount(&Json::Fraction, &text("usd")).money;
        assert_eq!(fraction, Err(AmountFault::Unreadable(MoneyFault::NotDecimal)));
    }
}
