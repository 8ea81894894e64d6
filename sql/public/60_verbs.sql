-- a script that changes the hub, for clients without the command
-- example: SELECT script FROM verbs WHERE verb = 'register'
CREATE VIEW verbs AS FROM _hub.verbs
