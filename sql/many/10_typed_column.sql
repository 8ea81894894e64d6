-- a column of a dataset, its type, the kind of its type, and the form of its cells
-- place: the column of dataset_row that has its cells; columns of several datasets are in one, and some have none there.
SELECT
    (dataset_number * (SELECT max(place) FROM dataset_place) + place)::USMALLINT AS feature_id, dataset_number, number, feature,
    type, _logic.kind_of(type) AS type_kind, _logic.form_of(type) AS form
FROM dataset_place
