"""月检: what nobody would otherwise see of a branch's month, looked for over whole columns."""
