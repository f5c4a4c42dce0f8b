/** Characters of what is told of a failure: a command's whole output does not belong into etcd. */
export const LONGEST_REASON = 500;
