/** SQL that is the same in every statement. */

/**
 * `LIMIT 0 +`, before a parameter. Where the parameter stands alone, SQLite looks at its value for the plan, and so
 * compiles the statement anew each time (`sqlite3ExprIsInteger`): 30 to 90 µs, several times what a short page takes.
 */
export const LIMIT = "LIMIT 0 +";
