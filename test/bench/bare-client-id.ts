/** The bare script's client id at the gateway: nobody of the desk. */
export const BARE_CLIENT_ID = 77;
