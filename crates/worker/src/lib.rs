//! The worker: receive, translate, plan, commit, settle.
