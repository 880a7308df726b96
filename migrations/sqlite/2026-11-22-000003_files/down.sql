DROP TABLE secrets;
DROP TABLE discarded_objects;
DROP INDEX workspaces_icon;
ALTER TABLE workspaces DROP COLUMN icon_format;
ALTER TABLE workspaces DROP COLUMN icon_id;
DROP TABLE files;
