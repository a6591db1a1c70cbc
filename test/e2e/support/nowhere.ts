/** An address at which no service is, and none will be: not one of the ports that the system assigns. */
export const NOWHERE = "http://127.0.0.1:2";
