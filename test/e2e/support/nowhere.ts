/** An address at which no service is, and none will be: not one of the ports that the system gives to whoever asks. */
export const NOWHERE = "http://127.0.0.1:2";
