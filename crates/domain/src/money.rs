//! Money: whole minor units inside, exact decimal strings at the edge, floats nowhere.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// An ISO 4217 code, three ASCII capitals. Case is folded when it is read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    pub fn parse(code: &str) -> Option<Self> {
        let bytes: [u8; 3] = code.trim().as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_alphabetic).then(|| Self(bytes.map(|b| b.to_ascii_uppercase())))
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }

    /// How many decimals an amount has (ISO 4217, 2024: 2 unless listed here).
    pub fn decimals(self) -> u32 {
        match self.as_str() {
            "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "UYI" | "VND"
            | "VUV" | "XAF" | "XOF" | "XPF" => 0,
            "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
            "CLF" | "UYW" => 4,
            _ => 2,
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyFault;

    fn try_from(code: String) -> Result<Self, MoneyFault> {
        Self::parse(&code).ok_or(MoneyFault::Currency)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.as_str().to_owned()
    }
}

/// Why a text is no amount of a currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MoneyFault {
    #[error("it is not a decimal number")]
    NotDecimal,
    #[error("it has more decimals than the currency")]
    TooManyDecimals,
    #[error("it is out of range")]
    OutOfRange,
    #[error("the currency is not a three-letter ISO 4217 code")]
    Currency,
}

/// An exact amount. `minor` counts the currency's smallest unit (cents) and may be negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    pub minor: i64,
    pub currency: Currency,
}

impl Money {
    /// Reads `15`, `15.0` or `15.00` as the same amount. `15.001` of a currency with two decimals
    /// is a fault, never rounded; `15.000` is exact and read.
    ///
    /// Digits, one point and a leading minus only: `Decimal::from_str` would take `1_5` for 15 and
    /// round what is longer than 28 digits.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyFault> {
        let text = text.trim();
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, part) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(part) {
            return Err(MoneyFault::NotDecimal);
        }
        let decimals = usize::try_from(currency.decimals()).unwrap_or(usize::MAX);
        let part = part.trim_end_matches('0');
        if part.len() > decimals {
            return Err(MoneyFault::TooManyDecimals);
        }
        let sign = if unsigned.len() < text.len() { "-" } else { "" };
        let minor = format!("{sign}{whole}{part:0<decimals$}").parse().map_err(|_| MoneyFault::OutOfRange)?;
        Ok(Self { minor, currency })
    }

    /// The amount as the JSON shapes give it: a decimal with all of the currency's decimals.
    pub fn decimal(&self) -> String {
        Decimal::new(self.minor, self.currency.decimals()).to_string()
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.decimal(), self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, code: &str) -> Result<i64, MoneyFault> {
        Money::parse(text, Currency::parse(code).unwrap()).map(|money| money.minor)
    }

    #[test]
    fn decimals_are_exact() {
        assert_eq!(parse("15.00", "usd"), Ok(1500));
        assert_eq!(parse("15", "USD"), Ok(1500));
        assert_eq!(parse("0.1", "USD"), Ok(10));
        assert_eq!(parse("15.000", "USD"), Ok(1500));
        assert_eq!(parse("1500", "JPY"), Ok(1500));
        assert_eq!(parse("1.234", "KWD"), Ok(1234));
        assert_eq!(parse(" -0.50 ", "USD"), Ok(-50));
        assert_eq!(parse("15.0000000000000000000000000000000000000000", "USD"), Ok(1500));
    }

    #[test]
    fn what_is_no_amount_is_a_fault() {
        assert_eq!(parse("15.001", "USD"), Err(MoneyFault::TooManyDecimals));
        assert_eq!(parse("1.5", "JPY"), Err(MoneyFault::TooManyDecimals));
        // Longer than a 96-bit decimal can hold: rounding would make it a right amount.
        assert_eq!(parse("15.0000000000000000000000000000000000000001", "USD"), Err(MoneyFault::TooManyDecimals));
        for odd in ["fifteen", "1_5.00", "15.", ".5", "1e3", "+15", "--15", "1 5", "15.0.0", "١٥"] {
            assert_eq!(parse(odd, "USD"), Err(MoneyFault::NotDecimal), "{odd}");
        }
        assert_eq!(parse("", "USD"), Err(MoneyFault::NotDecimal));
        assert_eq!(parse("99999999999999999999", "USD"), Err(MoneyFault::OutOfRange));
        assert_eq!(Currency::parse("US"), None);
        assert_eq!(Currency::parse("U$D"), None);
    }

    #[test]
    fn it_is_written_with_all_its_decimals() {
        let money = |minor, code| Money { minor, currency: Currency::parse(code).unwrap() }.to_string();
        assert_eq!(money(1500, "USD"), "15.00 USD");
        assert_eq!(money(7, "USD"), "0.07 USD");
        assert_eq!(money(7, "JPY"), "7 JPY");
    }
}
