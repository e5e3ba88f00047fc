//! What an operator runs at the server to mend what was found there.

use crate::Examination;

impl Examination {
    /// Gives the role what our statements need, on every table.
    pub fn grant_tables(&self) -> String {
        let Self { schema, role, .. } = self;
        format!("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}")
    }

    /// Lets the role make tables, as `migrate` must.
    pub fn grant_create(&self) -> String {
        let Self { schema, role, .. } = self;
        format!("GRANT CREATE ON SCHEMA {schema} TO {role}")
    }

    /// Lets the sessions of the role write.
    pub fn let_write(&self) -> String {
        format!("ALTER ROLE {} RESET default_transaction_read_only", self.role)
    }

    /// Turns a setting of the server on, for everybody and at once.
    pub fn turn_on(setting: &str) -> String {
        format!("ALTER SYSTEM SET {setting} = on; SELECT pg_reload_conf()")
    }
}
