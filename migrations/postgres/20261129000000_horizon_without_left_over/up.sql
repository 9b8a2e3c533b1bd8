-- Where facts are put that are left over is told by the settling itself; nobody wrote or read this.
ALTER TABLE settle_horizon DROP COLUMN left_over;
