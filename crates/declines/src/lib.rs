//! The catalogue: code, cause, who acts
