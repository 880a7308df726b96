/** A value of the scalar `JSON`. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
