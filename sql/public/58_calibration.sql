-- a verdict, and how much accuracy its models lost on targets that were measured in this hub; expected_loss where they are enough
-- example: FROM calibration
CREATE VIEW calibration AS FROM _logic.verdict_loss
