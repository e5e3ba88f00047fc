-- Clocks of two hosts differ, and nobody leaves before they joined.
UPDATE group_member SET left_at = greatest(joined_at, $3)
WHERE group_id = $1 AND person = $2
