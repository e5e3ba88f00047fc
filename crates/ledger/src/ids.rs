//! Ids of the ledger: all derived, so that any process arrives at the same ones without asking.

use std::fmt;

use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(pub Uuid);

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// The row of an account in the tables; see [`crate::Account::id`].
    AccountId
);
id!(
    /// A command and the transaction it became: one id, the idempotency key.
    TransactionId
);
id!(
    /// A hold: the id of the command that placed it.
    HoldId
);
id!(
    /// Points of one origin that expire at one moment.
    LotId
);

/// Changing one of these would let everything happen a second time.
const COMMANDS: Uuid = Uuid::from_u128(0x0b8e_52c4_91d7_5a36_8f0e_6a1d_c47b_2e95);
const EXPIRIES: Uuid = Uuid::from_u128(0x7d41_e6a9_2c38_5b0f_a6d4_13f9_80be_57c2);
const LOTS: Uuid = Uuid::from_u128(0x3fa6_08bd_e415_5c79_b21a_95d8_6c03_f4e7);

impl TransactionId {
    /// Of the key of whatever caused the command, such as an event key with its account.
    pub fn of_key(key: &str) -> Self {
        Self(Uuid::new_v5(&COMMANDS, key.as_bytes()))
    }

    /// A hold expires once, whoever notices.
    pub fn expiring_hold(hold: HoldId) -> Self {
        Self::of_expiry(&format!("hold:{hold}"))
    }

    /// A lot expires once, whoever notices.
    pub fn expiring_lot(lot: LotId) -> Self {
        Self::of_expiry(&format!("lot:{lot}"))
    }

    /// Hashed as in version 5 and marked as version 8, which no caller may use: whoever gave the id
    /// of an expiry to a command of their own would keep it from ever happening.
    fn of_expiry(name: &str) -> Self {
        let hashed = Uuid::new_v5(&EXPIRIES, name.as_bytes());
        Self(uuid::Builder::from_custom_bytes(hashed.into_bytes()).into_uuid())
    }

    /// Whether only the ledger itself may give this id to a command.
    pub(crate) fn is_reserved(self) -> bool {
        self.0.get_version_num() == 8
    }
}

impl HoldId {
    pub fn placed_by(command: TransactionId) -> Self {
        Self(command.0)
    }
}

impl LotId {
    /// The `n`-th lot that a transaction makes, from 0.
    pub fn of(transaction: TransactionId, n: u32) -> Self {
        Self(Uuid::new_v5(&LOTS, format!("{transaction}:{n}").as_bytes()))
    }
}
